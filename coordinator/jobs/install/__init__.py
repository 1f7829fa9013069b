"""`coordinator init`: the pack's files in a user directory of Freqtrade's, without touching what is the user's."""

from coordinator.jobs.install.plan import FileState, InstallPlan, plan_install
from coordinator.jobs.install.writing import carry_out

__all__ = ["FileState", "InstallPlan", "carry_out", "plan_install"]
