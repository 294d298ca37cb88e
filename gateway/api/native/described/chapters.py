"""All chapters of the gateway's own API."""

from gateway.api.native.described import events, instances, replays, tenants

CHAPTERS = (instances.CHAPTER, events.CHAPTER, replays.CHAPTER, tenants.CHAPTER)
