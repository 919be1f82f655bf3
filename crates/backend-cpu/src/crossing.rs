//! Going into compiled code and coming out of it: the state of the processor that one side would
//! leave to the other. It knows nothing of programs; the doors themselves are in `symbols`.
//!
//! Upper halves of vector registers. Compiled code spills with the instructions of before AVX, and
//! Rust is compiled to them too. On many processors each of them costs more, or waits for what has
//! nothing to do with it, as long as the upper half of any of the first sixteen registers is not
//! known to be zero: code of 12 us was seen to take 800. Code with wide registers may leave them so
//! (assembly of libraries does, and what the user calls may). So compiled code is entered with
//! clean halves, and every door gives them back clean. Registers 16 to 31 have no such
//! instructions and need no cleaning.
//!
//! Subnormal numbers. Programs that flush them are run in a mode of the processor that is the
//! thread's: set on each thread that takes part, and taken back at the end and for what is not of
//! the program in between.

use probpipe_trace::Subnormals;
use std::cell::Cell;

/// Makes the upper halves of the vector registers zero.
#[inline]
fn clean() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") {
        // A function of its own: the compiler then knows what the instruction does to registers.
        #[target_feature(enable = "avx")]
        fn zero_upper_halves() {
            std::arch::x86_64::_mm256_zeroupper();
        }
        // SAFETY: the processor has AVX.
        unsafe { zero_upper_halves() }
    }
}

/// What floating-point arithmetic does on a thread: the processor's control word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mode(u64);

#[cfg(target_arch = "x86_64")]
mod word {
    use std::arch::asm;

    /// Results that are subnormal become zero, and operands that are count as zero.
    pub(super) const FLUSH: u64 = 1 << 15 | 1 << 6;

    pub(super) fn read() -> u64 {
        let mut word = 0_u32;
        // SAFETY: writes the control word to `word`, and nothing else.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags)) };
        u64::from(word)
    }

    pub(super) fn write(word: u64) {
        let word = word as u32;
        // SAFETY: the word was read from the processor and differs in `FLUSH` at most. Rust's own
        // arithmetic counts on the bits being off; until they are off again, only compiled code,
        // kernels and loops of arithmetic over memory run, none of whose results Rust foresees.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &word, options(nostack)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod word {
    use std::arch::asm;

    /// Results that are subnormal become zero, and operands that are count as zero.
    pub(super) const FLUSH: u64 = 1 << 24;

    pub(super) fn read() -> u64 {
        let word: u64;
        // SAFETY: reads the control word.
        unsafe { asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags)) };
        word
    }

    pub(super) fn write(word: u64) {
        // SAFETY: the word was read from the processor and differs in `FLUSH` at most. Rust's own
        // arithmetic counts on the bit being off; until it is off again, only compiled code,
        // kernels and loops of arithmetic over memory run, none of whose results Rust foresees.
        unsafe { asm!("msr fpcr, {}", in(reg) word, options(nostack)) };
    }
}

/// Processors whose modes are not known here: subnormal numbers stay.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod word {
    pub(super) const FLUSH: u64 = 0;

    pub(super) fn read() -> u64 {
        0
    }

    pub(super) fn write(_: u64) {}
}

impl Mode {
    /// That of this thread now.
    #[inline]
    pub(crate) fn current() -> Mode {
        Mode(word::read())
    }

    /// With subnormal numbers kept or flushed.
    #[inline]
    pub(crate) fn with(self, subnormals: Subnormals) -> Mode {
        match subnormals {
            Subnormals::Keep => Mode(self.0 & !word::FLUSH),
            Subnormals::Flush => Mode(self.0 | word::FLUSH),
        }
    }

    /// Puts the thread into the mode until what this gives is dropped.
    #[inline]
    fn begin(self) -> InMode {
        self.begin_after(Mode::current())
    }

    /// [`Mode::begin`] on a thread that is known to be in the mode `before`.
    #[inline]
    fn begin_after(self, before: Mode) -> InMode {
        let differs = self.0 & word::FLUSH != before.0 & word::FLUSH;
        if differs {
            word::write(before.0 & !word::FLUSH | self.0 & word::FLUSH);
        }
        InMode { before, differs }
    }
}

/// The time that a thread is in a mode. Afterwards the control word is that of before, with the
/// flags of what had happened until then: nobody asks for those of compiled code, and to read the
/// word waits for all arithmetic under way.
struct InMode {
    before: Mode,
    differs: bool,
}

impl Drop for InMode {
    #[inline]
    fn drop(&mut self) {
        if self.differs {
            word::write(self.before.0);
        }
    }
}

thread_local! {
    /// The mode outside of the program that this thread runs, if the program has callbacks.
    static OUTSIDE: Cell<Option<Mode>> = const { Cell::new(None) };
}

/// Runs compiled code that calls nothing of the user's. Whatever the thread's own mode, subnormal
/// numbers are kept or flushed as said, so that a program gives the same on every thread.
#[inline]
pub(crate) fn enter<R>(subnormals: Subnormals, code: impl FnOnce() -> R) -> R {
    enter_from(Mode::current(), subnormals, code)
}

/// As [`enter`], for code that may leave for the user's: [`Leaving::in_mode_of_user`].
pub(crate) fn enter_with_callbacks<R>(subnormals: Subnormals, code: impl FnOnce() -> R) -> R {
    /// Programs nest: a function of the host may call one.
    struct Outside(Option<Mode>);
    impl Drop for Outside {
        fn drop(&mut self) {
            OUTSIDE.set(self.0);
        }
    }
    let before = Mode::current();
    let _outside = Outside(OUTSIDE.replace(Some(before)));
    enter_from(before, subnormals, code)
}

#[inline]
fn enter_from<R>(before: Mode, subnormals: Subnormals, code: impl FnOnce() -> R) -> R {
    let _mode = before.with(subnormals).begin_after(before);
    clean();
    code()
}

/// Runs a part of a program that is running, on this thread or on another.
#[inline]
pub(crate) fn enter_again<R>(mode: Mode, code: impl FnOnce() -> R) -> R {
    let _mode = mode.begin();
    clean();
    code()
}

/// The time that compiled code is left for, by a door.
pub(crate) struct Leaving {
    _mode: Option<InMode>,
}

impl Leaving {
    /// For what computes as the program does.
    #[inline]
    pub(crate) fn in_mode_of_program() -> Leaving {
        Leaving { _mode: None }
    }

    /// For what computes as the interpreter does.
    #[inline]
    pub(crate) fn keeping_subnormals() -> Leaving {
        Leaving { _mode: Some(Mode::current().with(Subnormals::Keep).begin()) }
    }

    /// For what is the user's.
    #[inline]
    pub(crate) fn in_mode_of_user() -> Leaving {
        Leaving { _mode: OUTSIDE.get().map(Mode::begin) }
    }
}

impl Drop for Leaving {
    #[inline]
    fn drop(&mut self) {
        clean();
    }
}

/// As [`rayon::join`], for what a program computes: both in the program's mode, whichever thread
/// does them, and what else the threads do meanwhile in the usual one.
pub(crate) fn join(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    let mode = Mode::current();
    let _usual = mode.with(Subnormals::Keep).begin();
    rayon::join(|| in_mode(mode, first), || in_mode(mode, second));
}

fn in_mode(mode: Mode, work: impl FnOnce()) {
    let _mode = mode.begin();
    work();
}
