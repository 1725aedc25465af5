"""Decide which one product to show each WhatsApp customer, look at it, send it safely, measure what it brought."""
