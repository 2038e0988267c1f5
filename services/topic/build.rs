//! Migrations are built in, so a new one means building again.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
