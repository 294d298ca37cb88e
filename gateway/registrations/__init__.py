"""The webhook's registration at the vendor: made, renewed, verified, restored and removed."""
