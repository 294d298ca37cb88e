"""The benchmark: what the gateway reaches, as ratios against plain programs in the same run."""
