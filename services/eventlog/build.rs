//! Makes cargo notice a new migration: the macro that embeds them only tracks the files it saw.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
