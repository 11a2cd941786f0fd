# -*- coding: latin-1 -*-
"""A fee desk."""
