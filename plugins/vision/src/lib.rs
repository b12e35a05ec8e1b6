//! Camera sources and video codecs.
