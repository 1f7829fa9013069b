"""`coordinator evaluate`: does it earn its keep, on any candles.

- **Variants** (:mod:`~coordinator.jobs.evaluation.variants`): the baseline, ML, each part of ML off, controls in
  its place, each improvement on or off, other parameters, fees, starts, random entries. A variant is data.
- The **problem** (:mod:`~coordinator.jobs.evaluation.problem`) makes a job of each, when what it needs is there.
- The **workers** (:mod:`coordinator.jobs.cluster`, as for `coordinator optimize`) run a Freqtrade backtest each.
- The **store** keeps each account as a file the moment it is known: the same command goes on where it was stopped.
- The **report** (:mod:`coordinator.reports.evaluation`) is made from the stored accounts alone.
"""
