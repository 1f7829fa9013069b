-- Run once, when the volume is new: the decision ledger beside Freqtrade's trades, never in the same database.
CREATE DATABASE ledger;
