"""Whether a request is the vendor's: every scheme of proof on raw bytes, why one failed, and how to make one."""
