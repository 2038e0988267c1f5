//! The router over real sockets, with regions and a directory that a test can script.

mod limits;
mod map;
mod plain;
mod support;
mod tls;
