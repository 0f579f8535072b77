"""How benchmarks are declared, measured, judged and reported; it knows none of them by name."""
