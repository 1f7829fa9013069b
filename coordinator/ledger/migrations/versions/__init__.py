"""One file a schema version, in order. They spell their tables out, so that they never change afterwards."""
