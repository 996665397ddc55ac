// SPDX-License-Identifier: Apache-2.0
//! The structures of mmargparse.h, as values whose pointers are valid.
#![allow(non_camel_case_types, reason = "the names of the structures in C")]

use core::ffi::{CStr, c_char, c_int, c_longlong, c_uint, c_ulonglong, c_void};
use core::slice;

/// An entry of the table of options.
#[repr(C)]
pub struct mm_arg_opt {
    name: *const c_char,
    flags: c_int,
    defval: *const c_char,
    val: *mut c_void,
    desc: *const c_char,
}

// SAFETY: the pointers of the only entry that is static, that of the help, are null or constants.
unsafe impl Sync for mm_arg_opt {}

#[repr(C)]
pub struct mm_arg_parser {
    flags: c_int,
    num_opt: c_int,
    optv: *const mm_arg_opt,
    doc: *const c_char,
    args_doc: *const c_char,
    execname: *const c_char,
    cb_data: *mut c_void,
    cb: Option<unsafe extern "C" fn()>,
}

/// A converted value. All bytes beside the member of the type are zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub union mm_arg_val {
    pub str: *const c_char,
    pub i: c_int,
    pub ll: c_longlong,
    pub ui: c_uint,
    pub ull: c_ulonglong,
}

impl mm_arg_val {
    pub const ZERO: mm_arg_val = mm_arg_val { ull: 0 };

    pub fn of_text(text: &CStr) -> mm_arg_val {
        let mut value = mm_arg_val::ZERO;
        value.str = text.as_ptr();
        value
    }
}

pub const MM_OPT_NEEDVAL: c_int = 0x02;
const MM_OPT_REQMASK: c_int = 0x03;
const MM_OPT_TYPEMASK: c_int = 0xF0;
pub const MM_OPT_FILEPATH: c_int = 0x100;
pub const MM_OPT_DIRPATH: c_int = 0x200;
pub const MM_ARG_PARSER_COMPLETION: c_int = 0x2;

/// Whether an option has a value.
#[derive(Clone, Copy, PartialEq)]
pub enum Requirement {
    Forbidden,
    Optional,
    Needed,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Type {
    String,
    Int,
    LongLong,
    UnsignedInt,
    UnsignedLongLong,
    Unknown,
}

impl Type {
    /// Its name in diagnostics.
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::Int => "int",
            Type::LongLong => "long long",
            Type::UnsignedInt => "unsigned int",
            Type::UnsignedLongLong => "unsigned long long",
            Type::Unknown => "unknown",
        }
    }
}

/// The built-in option.
static HELP: mm_arg_opt = mm_arg_opt {
    name: c"h|help".as_ptr(),
    flags: 0,
    defval: core::ptr::null(),
    val: core::ptr::null_mut(),
    desc: c"print this message and exit".as_ptr(),
};

/// An option, whose strings are valid during `'a`.
#[derive(Clone, Copy)]
pub struct Opt<'a>(&'a mm_arg_opt);

impl<'a> Opt<'a> {
    /// # Safety
    /// All pointers of the option are null or valid, as mmargparse.h requires it.
    pub unsafe fn from_c(option: &'a mm_arg_opt) -> Opt<'a> {
        Opt(option)
    }

    pub fn help() -> Opt<'a> {
        Opt(&HELP)
    }

    pub fn is_help(self) -> bool {
        core::ptr::eq(self.0, &raw const HELP)
    }

    pub fn as_ptr(self) -> *const mm_arg_opt {
        self.0
    }

    pub fn name(self) -> &'a [u8] {
        // SAFETY: guaranteed by from_c().
        unsafe { optional(self.0.name) }.unwrap_or_default().to_bytes()
    }

    pub fn default_value(self) -> Option<&'a CStr> {
        // SAFETY: guaranteed by Parser::from_c().
        unsafe { optional(self.0.defval) }
    }

    pub fn description(self) -> &'a [u8] {
        // SAFETY: guaranteed by Parser::from_c().
        unsafe { optional(self.0.desc) }.unwrap_or_default().to_bytes()
    }

    pub fn flags(self) -> c_int {
        self.0.flags
    }

    pub fn requirement(self) -> Requirement {
        match self.0.flags & MM_OPT_REQMASK {
            0 => Requirement::Forbidden,
            MM_OPT_NEEDVAL => Requirement::Needed,
            _ => Requirement::Optional,
        }
    }

    pub fn value_type(self) -> Type {
        match self.0.flags & MM_OPT_TYPEMASK {
            0x00 => Type::String,
            0x10 => Type::Int,
            0x20 => Type::LongLong,
            0x90 => Type::UnsignedInt,
            0xA0 => Type::UnsignedLongLong,
            _ => Type::Unknown,
        }
    }

    /// Stores a value of the option's type in the variable of the program, if there is one.
    pub fn store(self, value: mm_arg_val) {
        let to = self.0.val;
        if to.is_null() {
            return;
        }
        // SAFETY: the variable is valid and has the type of the flags, as guaranteed by Parser::from_c(). All bytes of the
        // union are initialised.
        unsafe {
            match self.value_type() {
                Type::String => to.cast::<*const c_char>().write(value.str),
                Type::Int => to.cast::<c_int>().write(value.i),
                Type::LongLong => to.cast::<c_longlong>().write(value.ll),
                Type::UnsignedInt => to.cast::<c_uint>().write(value.ui),
                Type::UnsignedLongLong => to.cast::<c_ulonglong>().write(value.ull),
                Type::Unknown => {}
            }
        }
    }
}

/// A parser, whose strings and options are valid during `'a`.
#[derive(Clone, Copy)]
pub struct Parser<'a>(&'a mm_arg_parser);

impl<'a> Parser<'a> {
    /// # Safety
    /// All pointers of the parser and of its options are null or valid, as mmargparse.h requires it.
    pub unsafe fn from_c(parser: &'a mm_arg_parser) -> Parser<'a> {
        Parser(parser)
    }

    /// The options of the program.
    pub fn options(self) -> impl Iterator<Item = Opt<'a>> + Clone {
        let count = usize::try_from(self.0.num_opt).unwrap_or(0);
        // SAFETY: guaranteed by from_c().
        let table = if self.0.optv.is_null() { &[] } else { unsafe { slice::from_raw_parts(self.0.optv, count) } };
        table.iter().map(Opt)
    }

    pub fn is_completing(self) -> bool {
        self.0.flags & MM_ARG_PARSER_COMPLETION != 0
    }

    pub fn has_callback(self) -> bool {
        self.0.cb.is_some()
    }

    pub fn description(self) -> Option<&'a CStr> {
        // SAFETY: guaranteed by from_c().
        unsafe { optional(self.0.doc) }
    }

    pub fn arguments(self) -> Option<&'a CStr> {
        // SAFETY: guaranteed by from_c().
        unsafe { optional(self.0.args_doc) }
    }

    pub fn program(self) -> Option<&'a CStr> {
        // SAFETY: guaranteed by from_c().
        unsafe { optional(self.0.execname) }
    }
}

/// # Safety
/// `string` is null or a terminated string that outlives `'a`.
unsafe fn optional<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not null, so terminated as promised by the caller.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}
