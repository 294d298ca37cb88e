"""The way out, met with peers on the loopback: the same facts for both clients."""
