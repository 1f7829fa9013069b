"""Our commands in Freqtrade's own Telegram bot: the same chat, topic and users may ask, and nobody else."""
