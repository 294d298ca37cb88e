"""The main job on one machine: a simulated vendor, the gateway and a consumer; each event's way is told as it goes."""
