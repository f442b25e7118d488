"""The patient-inquiry assistant. Start reading in `conversation.py`."""
