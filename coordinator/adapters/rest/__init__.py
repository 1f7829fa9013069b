"""The operator's views as JSON under Freqtrade's API server: its authentication, its OpenAPI documentation."""
