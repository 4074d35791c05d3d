"""The investigation itself: outbreaks, cases, visits, field policy and line lists."""
