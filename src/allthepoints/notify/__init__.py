"""Sends notifications, by Apprise."""
