//! The program as people start it. That this package has such a test also makes `cargo test --workspace` build the program
//! itself, which the system tests run.

use std::process::Command;

fn domicile(arguments: &[&str]) -> std::io::Result<(Option<i32>, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_domicile")).args(arguments).output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn help_names_every_verb() -> std::io::Result<()> {
    let (code, said) = domicile(&["--help"])?;
    assert_eq!(code, Some(0), "{said}");
    for verb in
        ["up", "tenant", "audit", "backup", "projections", "residency", "import", "demo", "doctor", "router", "desk"]
    {
        assert!(said.lines().any(|line| line.trim_start().starts_with(verb)), "{verb} is missing: {said}");
    }
    Ok(())
}

#[test]
fn wrong_use_ends_with_64() -> std::io::Result<()> {
    for arguments in [&["dance"][..], &[], &["audit"], &["audit", "replay", "--region"]] {
        let (code, said) = domicile(arguments)?;
        assert_eq!(code, Some(64), "{arguments:?}: {said}");
    }
    Ok(())
}
