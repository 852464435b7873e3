//! Sign-in links, codes, grants and looks.
