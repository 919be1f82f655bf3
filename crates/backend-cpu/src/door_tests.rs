//! What doors and entries do to the upper halves of vector registers, seen from outside: each is
//! called from a few instructions that look at the registers right after it.

use crate::crossing::{Mode, enter, enter_again};
use crate::symbols::{self, Door};
use crate::{Cpu, jit};
use probpipe_kernels::{BinaryKernel, Isa, ReduceKernel, UnaryKernel, table_for};
use probpipe_lowering::{Program, lower};
use probpipe_trace::{Array, ArrayType, DType, Line, Subnormals, pure_callback, trace, verify};
use std::arch::asm;
use std::sync::Arc;

/// Calls a function of seven words with the upper halves of the first sixteen registers all ones or
/// zero, and says whether any bit of them is set after it.
///
/// # Safety
/// The function may be called with the words. The processor has AVX.
unsafe fn leaves_dirty(function: usize, words: &[usize], dirty: bool) -> bool {
    let mut args = [0; 7];
    args[..words.len()].copy_from_slice(words);
    let mut halves = [[0_u64; 2]; 16];
    // SAFETY: the stack is aligned for calls, what calls may change is given up, and the words are
    // the caller's promise.
    unsafe {
        asm!(
            "vzeroupper",
            "test r15, r15",
            "jz 2f",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "vcmptrueps ymm\\n, ymm\\n, ymm\\n",
            ".endr",
            "2:",
            "sub rsp, 16",
            "mov [rsp], r14",
            "call r12",
            "add rsp, 16",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "vextractf128 [r13 + 16 * \\n], ymm\\n, 1",
            ".endr",
            "vzeroupper",
            in("r12") function,
            in("r13") &mut halves,
            in("r14") args[6],
            in("r15") usize::from(dirty),
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("rcx") args[3],
            in("r8") args[4],
            in("r9") args[5],
            clobber_abi("C"),
        );
    }
    halves != [[0; 2]; 16]
}

fn has_avx() -> bool {
    is_x86_feature_detected!("avx")
}

extern "C" fn nothing() {}

/// A part of a kernel that leaves what it should not.
unsafe extern "C" fn dirty_part(_: *const u64, _: usize, _: usize, _: usize, _: *mut u8) {
    // SAFETY: called where there is AVX.
    unsafe { asm!("vcmptrueps ymm5, ymm5, ymm5", out("xmm5") _) };
}

fn program(types: &[ArrayType], f: impl FnOnce(&[Array]) -> Vec<Array>) -> Program {
    let graph = trace(types, f).expect("traces").graph;
    lower(verify(&graph).expect("a graph"), &Cpu::options()).expect("lowers")
}

fn matrix(dtype: DType) -> Vec<ArrayType> {
    vec![ArrayType::new(dtype, [48, 48])]
}

#[track_caller]
fn is_clean(what: &str, door: Door, words: &[usize]) {
    // SAFETY: the caller gives what the door takes.
    let dirty = unsafe { leaves_dirty(door.address() as usize, words, true) };
    assert!(!dirty, "{what}");
}

/// Memory for arrays of up to 48 x 48 elements: the identity matrix in `f64`.
fn arrays(count: usize) -> Vec<Vec<f64>> {
    let element = |k: usize| if k.is_multiple_of(49) { 1.0 } else { 0.0 };
    (0..count).map(|_| (0..48 * 48).map(element).collect()).collect()
}

fn addresses(arrays: &mut [Vec<f64>]) -> Vec<usize> {
    arrays.iter_mut().map(|array| array.as_mut_ptr() as usize).collect()
}

#[test]
fn the_test_sees_what_is_left() {
    if has_avx() {
        let function = nothing as *const () as usize;
        // SAFETY: the function takes nothing.
        assert!(unsafe { leaves_dirty(function, &[], true) });
        // SAFETY: as above.
        assert!(!unsafe { leaves_dirty(function, &[], false) });
    }
}

#[test]
fn doors_give_registers_back_clean() {
    if !has_avx() {
        return;
    }
    let mut list = arrays(12);
    let table = addresses(&mut list);
    let at = table.as_ptr() as usize;
    for dtype in [DType::F32, DType::F64] {
        let product = program(&matrix(dtype), |x| vec![x[0].matmul(&x[0])]);
        let machine = jit::compile(&product, false).expect("compiles");
        let descriptor = Arc::as_ptr(&machine.needs.descriptors[0]) as usize;
        is_clean("product", symbols::library(), &[descriptor, table[0], table[1], table[2]]);
        let solve = program(&matrix(dtype), |x| {
            vec![x[0].cholesky(), x[0].solve_triangular(&x[0]), x[0].inv(), x[0].svd().1]
        });
        let machine = jit::compile(&solve, false).expect("compiles");
        for descriptor in &machine.needs.descriptors {
            let descriptor = Arc::as_ptr(descriptor) as usize;
            is_clean("solve", symbols::library(), &[descriptor, table[0], table[1], table[2]]);
        }
        assert!(!machine.needs.factors.is_empty());
        for factors in &machine.needs.factors {
            is_clean("factors", symbols::factors(), &[Arc::as_ptr(factors) as usize, at]);
        }
        let loops = program(&matrix(dtype), |x| vec![x[0].sort(0), x[0].cumsum(0)]);
        let machine = jit::compile(&loops, false).expect("compiles");
        assert_eq!(machine.needs.indexings.len(), 2);
        for loops in &machine.needs.indexings {
            is_clean("loops", symbols::indexing(), &[Arc::as_ptr(loops) as usize, at]);
        }
        let host = program(&matrix(dtype), |x| {
            vec![pure_callback(|x: Array| x.exp(), &x[0].clone(), x[0].clone())]
        });
        let machine = jit::compile(&host, false).expect("compiles");
        let call = Arc::as_ptr(&machine.needs.callbacks[0]) as usize;
        is_clean("host", symbols::host_call(), &[call, at]);
        let remainder = symbols::remainder(dtype).expect("there is one");
        is_clean("remainder", remainder, &[]);
    }
    let part = dirty_part as *const () as usize;
    is_clean("parts", symbols::run_parts(), &[part, at, 100, 10, 64]);
}

#[test]
fn kernels_give_registers_back_clean() {
    if !has_avx() {
        return;
    }
    let mut list = arrays(8);
    let [a, b, c, d, e, f, g, _] = addresses(&mut list)[..] else { return };
    for table in Isa::ALL.iter().filter_map(|&isa| table_for(isa)) {
        let check = |what: &str, function: usize, words: &[usize]| {
            // SAFETY: arrays of 2,304 words, which no kernel is told to leave.
            let dirty = unsafe { leaves_dirty(function, words, false) };
            assert!(!dirty, "{} {what}", table.isa());
        };
        for n in [1, 5, 700] {
            for &kernel in UnaryKernel::ALL {
                check(kernel.name(), table.unary_f32(kernel) as usize, &[a, b, n]);
                check(kernel.name(), table.unary_f64(kernel) as usize, &[a, b, n]);
                check(kernel.name(), table.unary_scalar_f32(kernel) as usize, &[]);
                check(kernel.name(), table.unary_scalar_f64(kernel) as usize, &[]);
            }
            for &kernel in BinaryKernel::ALL {
                check(kernel.name(), table.binary_f32(kernel) as usize, &[a, b, c, n]);
                check(kernel.name(), table.binary_f64(kernel) as usize, &[a, b, c, n]);
                check(kernel.name(), table.binary_scalar_f32(kernel) as usize, &[]);
                check(kernel.name(), table.binary_scalar_f64(kernel) as usize, &[]);
            }
            for &kernel in ReduceKernel::ALL {
                check(kernel.name(), table.reduce_f32(kernel) as usize, &[b, n]);
                check(kernel.name(), table.reduce_f64(kernel) as usize, &[b, n]);
            }
            let words = [a, b, c, 20, n.min(30), 30];
            check("matrix_vector", table.matrix_vector_f32() as usize, &words);
            check("matrix_vector", table.matrix_vector_f64() as usize, &words);
            check("vector_matrix", table.vector_matrix_f32() as usize, &words);
            check("vector_matrix", table.vector_matrix_f64() as usize, &words);
            check("threefry", table.threefry() as usize, &[a, b, c, d, e, f, n]);
            check("threefry", table.threefry_one_key() as usize, &[a, b, 1, 2, e, g, n]);
        }
    }
}

#[test]
fn code_is_entered_and_left_clean() {
    if !has_avx() {
        return;
    }
    extern "C" fn entered() {
        enter(Subnormals::Flush, || std::hint::black_box(()));
    }
    extern "C" fn entered_again() {
        enter_again(Mode::current(), || std::hint::black_box(()));
    }
    for function in [entered as *const () as usize, entered_again as *const () as usize] {
        // SAFETY: the functions take nothing.
        assert!(!unsafe { leaves_dirty(function, &[], true) });
    }
    // Long tiles, of which some are AVX-512 of our own; and single elements.
    for dtype in [DType::F32, DType::F64] {
        for size in [1, 40_000] {
            let types = [ArrayType::new(dtype, [size])];
            let logistic = |x: &[Array]| {
                let y = ((-&x[0]).exp() + 1.0).recip();
                vec![(&y * &x[0]).sum(), y.sin(), y]
            };
            let program = program(&types, logistic);
            let machine = jit::compile(&program, false).expect("compiles");
            let bytes = types[0].bytes().div_ceil(size_of::<Line>());
            let lines = machine.needs.arena_bytes.div_ceil(size_of::<Line>());
            let mut arena = vec![Line::default(); lines];
            let mut arrays = vec![vec![Line::default(); bytes]; 4];
            let table: Vec<usize> = arrays.iter_mut().map(|a| a.as_mut_ptr() as usize).collect();
            let words = [table.as_ptr() as usize, table[1..].as_ptr() as usize];
            let words = [words[0], words[1], arena.as_mut_ptr() as usize];
            // SAFETY: arrays of the types of the program, and an arena of the size it asks for.
            let dirty = unsafe { leaves_dirty(machine.entry as usize, &words, false) };
            assert!(!dirty, "{dtype}[{size}]");
        }
    }
}
