// SPDX-License-Identifier: Apache-2.0
//! Compiles the C halves of the library and, for `make header`, writes the public header.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a build script may panic")]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let files = ["src/variadic.c", "src/thread.c", "src/personality.c"];
    files.iter().for_each(|file| println!("cargo:rerun-if-changed={file}"));
    println!("cargo:rerun-if-changed=include");
    println!("cargo:rustc-check-cfg=cfg(jumps)");
    let mut c_halves = cc::Build::new();
    if let Some(instruction) = jump() {
        println!("cargo:rustc-cfg=jumps");
        println!("cargo:rustc-env=JUMP={instruction}");
        c_halves.define("JUMPS", None);
    }
    c_halves.files(files).include("include").compile("c_halves");
    println!("cargo:rustc-env=SIZE_OF_TIME_T={}", size_of_time());
    #[cfg(feature = "header")]
    header::write();
}

/// The size of the C compiler's time_t: 8 or 4.
fn size_of_time() -> u32 {
    let source = Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("size_of_time.c");
    fs::write(&source, "#include <time.h>\nchar has_64_bits[sizeof(time_t) == 8 ? 1 : -1];\n")
        .expect("the directory is writable");
    let mut build = cc::Build::new();
    let result = build.file(source).cargo_metadata(false).cargo_warnings(false).try_compile("size_of_time");
    if result.is_ok() { 8 } else { 4 }
}

/// The jump instruction for src/capi/jumps.rs, if that module can be compiled and is requested.
fn jump() -> Option<&'static str> {
    env::var_os("CARGO_FEATURE_CDYLIB")?;
    let instruction = match env::var("CARGO_CFG_TARGET_ARCH").expect("cargo names the architecture").as_str() {
        "x86_64" => "jmp {}",
        "aarch64" => "b {}",
        _ => return None,
    };
    let can_define_naked_functions = minor_version_of_rustc().is_some_and(|minor| minor >= 88);
    can_define_naked_functions.then_some(instruction)
}

/// 85 for "rustc 1.85.1 (...)".
fn minor_version_of_rustc() -> Option<u32> {
    let rustc = env::var_os("RUSTC").expect("cargo names the compiler");
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.split('.').nth(1)?.parse().ok()
}

#[cfg(feature = "header")]
mod header {
    use cbindgen::{Builder, Config};
    use std::{
        collections::{BTreeMap, BTreeSet},
        env, fs,
        path::Path,
        process,
    };

    /// A generated header. Its configuration contains the text at its beginning and at its end.
    struct Header {
        /// The path from the top of the sources.
        path: &'static str,
        configuration: &'static str,
        /// The directory of the entry points.
        sources: &'static str,
        /// The section banners in order, each with the file that contains its entry points.
        banners: &'static [(&'static str, &'static str)],
        /// Files with structures.
        types: &'static [&'static str],
    }

    const HEADERS: [Header; 5] = [
        Header {
            path: "include/mmsysio.h",
            configuration: "cbindgen.toml",
            sources: "src/capi",
            banners: &[
                ("File manipulation", "file"),
                ("Directory navigation", "dir"),
                ("Process spawning", "process"),
                ("memory mapping", "map"),
                ("IPC", "ipc"),
                ("Network communication", "socket"),
            ],
            types: &["types"],
        },
        Header {
            path: "include/mmipc.h",
            configuration: "cbindgen-mmipc.toml",
            sources: "src/capi",
            banners: &[("IPC in event loops", "mmipc")],
            types: &[],
        },
        Header {
            path: "mmlib/include/mmlib.h",
            configuration: "mmlib/cbindgen/mmlib.toml",
            sources: "mmlib/src/capi",
            banners: &[
                ("Memory", "memory"),
                ("Environment", "environment"),
                ("Base directories", "basedir"),
                ("Path components", "path"),
            ],
            types: &[],
        },
        Header {
            path: "mmlib/include/mmdlfcn.h",
            configuration: "mmlib/cbindgen/mmdlfcn.toml",
            sources: "mmlib/src/capi",
            banners: &[("Dynamic libraries", "dlfcn")],
            types: &[],
        },
        Header {
            path: "mmlib/include/mmprofile.h",
            configuration: "mmlib/cbindgen/mmprofile.toml",
            sources: "mmlib/src/capi",
            banners: &[("Profiling", "profile")],
            types: &[],
        },
    ];

    /// Writes the headers to their paths below the directory named by MMSYSIO_HEADERS.
    pub fn write() {
        println!("cargo:rerun-if-changed=src/capi");
        println!("cargo:rerun-if-changed=mmlib/src/capi");
        println!("cargo:rerun-if-env-changed=MMSYSIO_HEADERS");
        let directory = env::var_os("MMSYSIO_HEADERS").expect("MMSYSIO_HEADERS names the output directory");
        let mut errnos = ErrnoLists::read();
        for header in HEADERS {
            let target = Path::new(&directory).join(header.path);
            fs::create_dir_all(target.parent().expect("the path has a directory")).expect("it can be created");
            fs::write(target, header.text(&mut errnos)).expect("the header can be written");
        }
        errnos.fail_if_unused();
    }

    impl Header {
        /// First the text at the beginning; then, under each banner, the macros in the `.h` file of the same name, if it
        /// exists, and the output of cbindgen for the file; finally the text at the end. Shared lists of errnos are
        /// expanded.
        fn text(&self, errnos: &mut ErrnoLists) -> String {
            println!("cargo:rerun-if-changed={}", self.configuration);
            let mut config = Config::from_file(self.configuration).expect("the configuration of cbindgen is valid");
            let head = config.header.take().expect("the configuration has a header");
            let tail = config.trailer.take().expect("the configuration has a trailer");
            let mut text = head.trim_start().to_owned();
            for (banner, file) in self.banners {
                text += &format!("\n/*\n * {banner}\n */\n\n");
                let macros = format!("{}/{file}.h", self.sources);
                if Path::new(&macros).exists() {
                    text += &fs::read_to_string(&macros).expect("the file of macros can be read");
                    text += "\n";
                }
                text += &errnos.expand_all(self.declarations(file, &config).trim_end());
            }
            text + &tail
        }

        fn declarations(&self, file: &str, config: &Config) -> String {
            let mut text = Vec::new();
            let mut builder = Builder::new().with_config(config.clone());
            for source in self.types.iter().chain([&file]) {
                builder = builder.with_src(format!("{}/{source}.rs", self.sources));
            }
            builder.generate().expect("cbindgen can parse the entry points").write(&mut text);
            as_a_c_programmer_writes(&String::from_utf8(text).expect("the header is UTF-8"))
        }
    }

    const ERRNO_LISTS: &str = "src/capi/errors.txt";

    fn fail(message: &str) -> ! {
        eprintln!("error: {message}");
        process::exit(1)
    }

    /// The errnos at the start of an entry of an error list; empty if the line continues an entry or is not in a list.
    fn errnos_of(line: &str) -> Vec<&str> {
        let is_errno = |name: &str| {
            let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            name == "others" || (name.starts_with(['E', 'M']) && name.chars().all(is_upper))
        };
        let mut errnos = Vec::new();
        for word in line.strip_prefix("  ").unwrap_or_default().split(' ') {
            let name = word.trim_end_matches([',', '.']);
            if !is_errno(name) {
                break;
            }
            errnos.push(name);
            if !word.ends_with(',') {
                break;
            }
        }
        errnos
    }

    /// The sections of errors.txt, which documents their use.
    struct ErrnoLists {
        sections: BTreeMap<String, Vec<String>>,
        unused: BTreeSet<String>,
    }

    impl ErrnoLists {
        fn read() -> ErrnoLists {
            let text = fs::read_to_string(ERRNO_LISTS).expect("the lists of errnos can be read");
            let mut sections = BTreeMap::<String, Vec<String>>::new();
            let mut current = None;
            for line in text.lines() {
                if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                    if sections.insert(name.to_owned(), Vec::new()).is_some() {
                        fail(&format!("{ERRNO_LISTS}: section [{name}] is defined twice"));
                    }
                    current = Some(name);
                } else if let Some(lines) = current.and_then(|name| sections.get_mut(name)) {
                    if line.starts_with("  ") {
                        lines.push(line.to_owned());
                    } else if !line.is_empty() {
                        fail(&format!("{ERRNO_LISTS}: not a list entry: {line:?}"));
                    }
                }
            }
            let unused = sections.keys().cloned().collect();
            ErrnoLists { sections, unused }
        }

        /// The lines of the sections named by an `@errors` line of a comment.
        fn lines_of(&mut self, names: &str, used_in: &str) -> Vec<String> {
            let mut lines = Vec::new();
            for line in self.sections(names, used_in) {
                let Some(names) = line.strip_prefix("  @errors ") else {
                    lines.push(line);
                    continue;
                };
                let used = self.sections(names, ERRNO_LISTS);
                if used.iter().any(|line| line.starts_with("  @errors ")) {
                    fail(&format!("{ERRNO_LISTS}: @errors {names}: one of these uses another section"));
                }
                lines.extend(used);
            }
            lines
        }

        fn sections(&mut self, names: &str, used_in: &str) -> Vec<String> {
            let mut lines = Vec::new();
            for name in names.split_whitespace() {
                let Some(section) = self.sections.get(name) else {
                    fail(&format!("{used_in}: @errors {name}: {ERRNO_LISTS} has no section [{name}]"));
                };
                self.unused.remove(name);
                lines.extend_from_slice(section);
            }
            lines
        }

        fn expand_all(&mut self, declarations: &str) -> String {
            let mut expanded = String::new();
            let mut comment = Vec::new();
            for line in declarations.lines() {
                comment.push(line);
                if line == " */" {
                    expanded += &self.expand(&comment);
                    comment.clear();
                }
            }
            comment.iter().fold(expanded, |text, line| text + line + "\n")
        }

        /// Replaces the `@errors` line of a comment by the lines of its sections. An errno that the comment lists
        /// explicitly keeps the cause given there.
        fn expand(&mut self, comment: &[&str]) -> String {
            let where_used = comment
                .iter()
                .find_map(|line| line.split_once("() - "))
                .map_or("", |(name, _)| name.trim_start_matches(" * "));
            let listed: Vec<&str> =
                comment.iter().filter_map(|line| line.strip_prefix(" * ")).flat_map(errnos_of).collect();
            let mut text = String::new();
            for line in comment {
                let Some(names) = line.strip_prefix(" *   @errors ") else {
                    text += &format!("{line}\n");
                    continue;
                };
                let mut is_listed = false;
                let mut added = false;
                for shared in self.lines_of(names, where_used) {
                    let errnos = errnos_of(&shared);
                    if !errnos.is_empty() {
                        is_listed = errnos.iter().all(|name| listed.contains(name));
                        if !is_listed && errnos.iter().any(|name| listed.contains(name)) {
                            fail(&format!(
                                "{where_used}: @errors {names}: only some of {} are listed",
                                errnos.join(", ")
                            ));
                        }
                    }
                    if !is_listed {
                        added = true;
                        text += &format!(" * {shared}\n");
                    }
                }
                if !added {
                    fail(&format!("{where_used}: @errors {names} adds no errno to those already listed"));
                }
            }
            text
        }

        fn fail_if_unused(&self) {
            if let Some(name) = self.unused.first() {
                fail(&format!("{ERRNO_LISTS}: section [{name}] is not used"));
            }
        }
    }

    const LONGEST_LINE: usize = 110;

    /// Fixes what cbindgen cannot be configured to do: removes `# Safety` sections, which repeat for Rust callers what
    /// the other sections say; puts one-line comments on one line; breaks long prototypes; indents by tabs.
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
                // cbindgen does not put the prefix before the functions in C, which are declared in an extern block.
                _ => match line.strip_prefix("extern ") {
                    Some(prototype) => kept.extend(broken(&format!("MMLIB_API {prototype}"))),
                    None => kept.extend(broken(line)),
                },
            }
        }
        kept.iter().map(|line| indented_by_tabs(line) + "\n").collect()
    }

    fn indented_by_tabs(line: &str) -> String {
        let text = line.trim_start_matches("        ");
        "\t".repeat((line.len() - text.len()) / 8) + text
    }

    /// Breaks a prototype into as many lines as needed, with aligned arguments.
    fn broken(line: &str) -> Vec<String> {
        if line.len() <= LONGEST_LINE || !line.ends_with(");") {
            return vec![line.to_owned()];
        }
        let indent = " ".repeat(line.find('(').map_or(0, |at| at + 1));
        let mut lines = vec![String::new()];
        for part in line.split_inclusive(", ") {
            let current = lines.last_mut().expect("the text has a line");
            if current.trim().len() + indent.len() + part.len() > LONGEST_LINE {
                lines.push(format!("{indent}{part}"));
            } else {
                current.push_str(part);
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }
}
