"""How Papermesh is deployed: on a laptop, in an image, by a chart."""
