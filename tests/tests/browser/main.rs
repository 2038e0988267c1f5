//! The pages as people meet them: in a real browser, against a deployment of four regions that the tests share.

mod quality;
mod walk;
