//! The command line as its users meet it: the built binary, its exit statuses and its JSON.
