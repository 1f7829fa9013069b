"""`coordinator optimize`: settings searched by walk-forward backtests, shared between processes, resumable.

One process, three parts:

- The **study** (:mod:`~coordinator.jobs.optimize.study`, Optuna) is the only memory: a journal file, or a PostgreSQL
  database that several machines share. It holds the trials with their parameters, figures and daily returns, who runs
  each, and what the study is about; nothing else is kept anywhere.
- The **search** (:mod:`~coordinator.jobs.optimize.search`) asks the study for trials and tells it their values, as many
  at once as there are workers. Every `coordinator optimize` with the same study is such a search, and none is the
  master: they meet in the study alone, by rules that need no lock (``study.claim``, ``study.recover``).
- The **workers** (:mod:`~coordinator.jobs.cluster`, dask) run backtests and know of no study: one job is one
  timerange with one set of settings (:mod:`~coordinator.jobs.optimize.evaluate`).

A process may die at any moment: what it had finished is in the study, and what it was at is found by the next search,
marked failed and run again with the same parameters.
"""
