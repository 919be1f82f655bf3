//! The parser on arbitrary bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(fault) = probpipe_fuzz::check_text(&String::from_utf8_lossy(data)) {
        panic!("{fault}");
    }
});
