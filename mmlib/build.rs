// SPDX-License-Identifier: Apache-2.0
//! Compiles the C halves of the library. The unit tests need the directory of libmmsysio, if it is not installed.

fn main() {
    let files =
        ["src/memory.c", "src/thread.c", "src/argparse.c", "src/dlfcn.c", "src/profile.c", "../src/personality.c"];
    files.iter().for_each(|file| println!("cargo:rerun-if-changed={file}"));
    println!("cargo:rerun-if-changed=include");
    println!("cargo:rerun-if-env-changed=MMSYSIO_LIBDIR");
    if let Ok(directory) = std::env::var("MMSYSIO_LIBDIR") {
        println!("cargo:rustc-link-search=native={directory}");
    }
    cc::Build::new()
        .files(files)
        .include("include")
        .include("../include")
        .define("_GNU_SOURCE", None)
        // An exception of C++ and the cancellation of a thread pass through the functions in C.
        .flag("-fexceptions")
        .compile("mmlib_c_halves");
}
