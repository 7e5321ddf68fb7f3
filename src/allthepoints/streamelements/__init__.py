"""StreamElements: what anybody may read of it, and the store on the viewer's own behalf."""
