"""From a user's bytes to cues, and from cues to what is drawn and written."""
