"""Telegram: what it hands over is kept first, then answered in order; replies are plain text with entities."""
