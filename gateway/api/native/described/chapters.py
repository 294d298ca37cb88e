"""All chapters of the gateway's own API."""

from gateway.api.native.described import events, instances, replays, tenants, third_party

CHAPTERS = (instances.CHAPTER, events.CHAPTER, replays.CHAPTER, third_party.CHAPTER, tenants.CHAPTER)
