"""Benchmarks: each measures ours beside a reference in one sitting and reports ratios, not wishes."""
