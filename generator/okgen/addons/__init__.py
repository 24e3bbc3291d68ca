"""The add-on folders under ``overlays/``, and the template language they are written in."""
