"""`coordinator learning`: drift, retraining, promotion and rollback, fit for cron."""
