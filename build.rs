//! Compiles the C halves of the library and, for `make header`, writes the public header.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a build may stop at the first surprise")]

fn main() {
    let files = ["src/variadic.c", "src/thread.c", "src/personality.c"];
    files.iter().for_each(|file| println!("cargo:rerun-if-changed={file}"));
    println!("cargo:rerun-if-changed=include");
    cc::Build::new().files(files).include("include").compile("c_halves");
    #[cfg(feature = "header")]
    header::write();
}

#[cfg(feature = "header")]
mod header {
    use cbindgen::{Builder, Config};
    use std::{env, fs, path::Path};

    /// The banners of mmsysio.h in its order, each with the door below it.
    const BANNERS: [(&str, &str); 6] = [
        ("File manipulation", "file"),
        ("Directory navigation", "dir"),
        ("Process spawning", "process"),
        ("memory mapping", "map"),
        ("IPC", "ipc"),
        ("Network communication", "socket"),
    ];

    /// Writes the header to the file that MMSYSIO_HEADER names: what cbindgen.toml begins it with; under each banner
    /// the macros of the door's `.h` file, if it has one, and what cbindgen makes of the door; and its end.
    pub fn write() {
        println!("cargo:rerun-if-changed=src/capi");
        println!("cargo:rerun-if-changed=cbindgen.toml");
        println!("cargo:rerun-if-env-changed=MMSYSIO_HEADER");
        let mut config = Config::from_file("cbindgen.toml").expect("cbindgen.toml is valid");
        let head = config.header.take().expect("cbindgen.toml has a header");
        let tail = config.trailer.take().expect("cbindgen.toml has a trailer");
        let mut header = head.trim_start().to_owned();
        for (banner, door) in BANNERS {
            header += &format!("\n/*\n * {banner}\n */\n\n");
            let macros = format!("src/capi/{door}.h");
            if Path::new(&macros).exists() {
                header += &fs::read_to_string(&macros).expect("the macros of a door can be read");
                header += "\n";
            }
            header += declarations(door, &config).trim_end();
            header += "\n";
        }
        header += &tail;
        let target = env::var_os("MMSYSIO_HEADER").expect("MMSYSIO_HEADER names the file to write");
        fs::write(target, header).expect("the header can be written");
    }

    fn declarations(door: &str, config: &Config) -> String {
        let mut text = Vec::new();
        Builder::new()
            .with_config(config.clone())
            .with_src("src/capi/types.rs")
            .with_src(format!("src/capi/{door}.rs"))
            .generate()
            .expect("cbindgen understands the doors")
            .write(&mut text);
        as_a_c_programmer_writes(&String::from_utf8(text).expect("a header is UTF-8"))
    }

    const LONGEST_LINE: usize = 110;

    /// Mends what cbindgen cannot be told: leaves out `# Safety` sections, which tell Rust callers what the others say
    /// in the words of C; puts a comment of one line on one line; breaks long prototypes; indents by tabs.
    fn as_a_c_programmer_writes(header: &str) -> String {
        let mut kept: Vec<String> = Vec::new();
        let mut in_safety_section = false;
        for line in header.lines() {
            match line.trim() {
                "* # Safety" => {
                    in_safety_section = true;
                    if kept.last().is_some_and(|last| last.trim() == "*") {
                        kept.pop();
                    }
                }
                "*/" => {
                    in_safety_section = false;
                    match kept.as_slice() {
                        [.., opening, text] if opening.trim() == "/**" => {
                            let comment = format!("{opening} {} */", text.trim().trim_start_matches("* "));
                            kept.truncate(kept.len() - 2);
                            kept.push(comment);
                        }
                        _ => kept.push(line.to_owned()),
                    }
                }
                _ if in_safety_section => {}
                _ => kept.extend(broken(line)),
            }
        }
        kept.iter().map(|line| indented_by_tabs(line) + "\n").collect()
    }

    fn indented_by_tabs(line: &str) -> String {
        let text = line.trim_start_matches("        ");
        "\t".repeat((line.len() - text.len()) / 8) + text
    }

    /// A prototype on as many lines as it needs, its arguments below each other.
    fn broken(line: &str) -> Vec<String> {
        if line.len() <= LONGEST_LINE || !line.ends_with(");") {
            return vec![line.to_owned()];
        }
        let indent = " ".repeat(line.find('(').map_or(0, |at| at + 1));
        let mut lines = vec![String::new()];
        for part in line.split_inclusive(", ") {
            let current = lines.last_mut().expect("there is a line");
            if current.trim().len() + indent.len() + part.len() > LONGEST_LINE {
                lines.push(format!("{indent}{part}"));
            } else {
                current.push_str(part);
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }
}
