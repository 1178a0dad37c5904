"""The front door: verifies, authorises and routes every call."""
