//! Machine code in memory: compilation of one program, and its release. With `executable`, which
//! calls it, `threads`, which shares it, and `library`, which it calls, where `unsafe` is.

use crate::emit::code::Code;
use crate::emit::{self, Extra, Needs};
use crate::isa::{fault, isa};
use crate::wide;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Signature, UserFuncName, types};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};
use probpipe_lowering::Program;
use probpipe_trace::Result;
use std::fmt;

/// The compiled form of a program: `(inputs, outputs, arena)`.
pub(crate) type Entry = unsafe extern "C" fn(*const *const u8, *const *mut u8, *mut u8);

/// One function and the memory that holds it.
pub(crate) struct Machine {
    /// The function; valid while `self` lives.
    pub(crate) entry: Entry,
    /// What it needs to run.
    pub(crate) needs: Needs,
    /// Its text forms, where they were asked for.
    pub(crate) text: Text,
    module: Option<JITModule>,
}

/// What a program looks like on its last way.
#[derive(Clone, Default)]
pub(crate) struct Text {
    /// In Cranelift's language.
    pub(crate) clif: String,
    /// The instructions of the machine, with their registers.
    pub(crate) machine: String,
}

// SAFETY: the code is immutable once finished, the descriptors that it points to are never
// written, and the module is touched again only when `self` is dropped.
unsafe impl Sync for Machine {}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: `entry` is called only through a borrow of `self`, so nothing runs now.
            unsafe { module.free_memory() };
        }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Needs { descriptors, indexings, callbacks, factors, .. } = &self.needs;
        let calls = descriptors.len() + indexings.len() + callbacks.len() + factors.len();
        write!(f, "Machine({:p}, {calls} library calls)", self.entry as *const ())
    }
}

/// Compiles a program; `keep_text` keeps its text forms.
pub(crate) fn compile(program: &Program, keep_text: bool) -> Result<Machine> {
    let isa = isa()?;
    let mut module = JITModule::new(JITBuilder::with_isa(isa.clone(), default_libcall_names()));
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(types::I64); 3]);
    let id = module
        .declare_function("program", Linkage::Local, &signature)
        .map_err(|e| fault("declare a program", e))?;
    let mut context = module.make_context();
    context.func.signature = signature;
    context.func.name = UserFuncName::user(0, id.as_u32());
    let mut builder_context = FunctionBuilderContext::new();
    let result = emit::emit(program, &*isa, &mut context.func, &mut builder_context);
    let mut text = Text::default();
    if keep_text && let Ok((_, extras)) = &result {
        text.clif = context.func.to_string();
        for extra in extras {
            match extra {
                Extra::Part(function) => text.clif += &format!("\n{function}"),
                Extra::Region(code) => text.clif += &format!("\nregion of {} bytes\n", code.len()),
            }
        }
    }
    let finished = result.and_then(|(needs, extras)| {
        let failed = |e| fault("compile a program", format!("{e:?}"));
        context.set_disasm(keep_text);
        module.define_function(id, &mut context).map_err(failed)?;
        text.note(&context);
        for (k, extra) in extras.into_iter().enumerate() {
            let signature = match &extra {
                Extra::Part(function) => function.signature.clone(),
                Extra::Region(_) => Code::signature(isa.default_call_conv(), wide::PARAMETERS),
            };
            // Not local: calls use absolute addresses, wherever the code comes to lie.
            let extra_id = module
                .declare_function(&format!("extra{k}"), Linkage::Preemptible, &signature)
                .map_err(|e| fault("declare a part", e))?;
            debug_assert_eq!(extra_id.as_u32() as usize, k + 1, "numbers follow the order");
            match extra {
                Extra::Part(function) => {
                    module.clear_context(&mut context);
                    context.func = *function;
                    context.set_disasm(keep_text);
                    module.define_function(extra_id, &mut context).map_err(failed)?;
                    text.note(&context);
                }
                Extra::Region(code) => {
                    if keep_text {
                        text.note_bytes(&code);
                    }
                    module.define_function_bytes(extra_id, 64, &code, &[]).map_err(failed)?;
                }
            }
        }
        module.finalize_definitions().map_err(|e| fault("place a program in memory", e))?;
        Ok(needs)
    });
    let needs = match finished {
        Ok(needs) => needs,
        Err(error) => {
            // SAFETY: no address in the module has been handed out.
            unsafe { module.free_memory() };
            return Err(error);
        }
    };
    let address = module.get_finalized_function(id);
    // SAFETY: the function was compiled with this signature and the platform's C convention.
    let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
    Ok(Machine { entry, needs, text, module: Some(module) })
}

impl Text {
    /// Adds the instructions of a function, where they were asked for.
    fn note(&mut self, context: &Context) {
        if let Some(listing) = context.compiled_code().and_then(|code| code.vcode.as_deref()) {
            self.machine += listing;
        }
    }

    /// Adds code of our own as bytes, which a disassembler reads: `xxd -r -p`, then `objdump -D -b
    /// binary -m i386:x86-64`.
    fn note_bytes(&mut self, code: &[u8]) {
        self.machine += &format!("\nregion of {} bytes\n", code.len());
        for line in code.chunks(32) {
            line.iter().for_each(|byte| self.machine += &format!("{byte:02x}"));
            self.machine.push('\n');
        }
    }
}
