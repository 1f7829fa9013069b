# The bot on Freqtrade's own image: its Python, FreqUI and FreqAI's libraries, and user ftuser (1000), not root.
# Never built where this repository is tested (no Docker engine there): tests/install/test_deployment.py reads it only.
FROM freqtradeorg/freqtrade:2026.9_freqai

USER ftuser
WORKDIR /home/ftuser/coordinator

# From PyTorch's index of CPU builds: the version of pyproject.toml without CUDA's gigabytes.
RUN pip install --user --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0

COPY --chown=ftuser:ftuser pyproject.toml setup.py config.json ./
COPY --chown=ftuser:ftuser coordinator ./coordinator
COPY --chown=ftuser:ftuser strategies ./strategies
COPY --chown=ftuser:ftuser freqai_models ./freqai_models
COPY --chown=ftuser:ftuser hyperopts ./hyperopts
COPY --chown=ftuser:ftuser protections ./protections

# What the library imports is pinned in pyproject.toml; the rest stays as the image has it.
RUN pip install --user --no-cache-dir ".[postgresql]" \
  && cd / \
  && python -c "import coordinator.adapters.strategy, psycopg, torch; assert torch.version.cuda is None" \
  && rm -rf /home/ftuser/coordinator/build

# The base image's entry point is `freqtrade`; user_data is a volume.
WORKDIR /freqtrade
