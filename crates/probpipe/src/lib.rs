//! Differentiable, compiled, probabilistic computing.
//!
//! Write a function over arrays; then [`grad`], [`vmap`] and [`jit`] it, in any order and to any
//! depth; sample from distributions and differentiate their densities and their samplers. A
//! compiled program runs as native code, or on any GPU with the `gpu` feature.
//!
//! ```
//! use probpipe::prelude::*;
//!
//! // The score function of a normal density: its gradient, batched and compiled.
//! let n = Normal::new(2.0, 0.5);
//! let score = grad(|x: Array| n.log_prob(&x));
//! assert_eq!(score(array(3.0)).item::<f32>()?, -4.0);
//! let scores = jit(vmap(&score))(linspace(0.0, 4.0, 200));
//! assert_eq!(scores.shape(), [200]);
//! # Ok::<(), probpipe::Error>(())
//! ```
//!
//! Nothing here panics on what you write: a wrong shape or type makes an invalid array that says
//! what is wrong and where, when it is read.
//!
//! # Contents
//!
//! | | |
//! |---|---|
//! | [`prelude`] | what most programs use, for `use probpipe::prelude::*` |
//! | [`arrays`] | [`Array`], its types, and functions that join, choose, sort and count |
//! | [`creation`] | making arrays: [`array()`], [`zeros`], [`linspace`], [`eye`] and more |
//! | [`linalg`], [`special`] | products and factors of matrices; special functions |
//! | [`control`] | loops and branches that are part of a program; calls of the host |
//! | [`tree`], [`record`] | trees of arrays, which every function takes and gives; named arrays |
//! | [`transforms`] | [`grad`], [`vmap`], [`jit`] and their kin; rules of your own |
//! | [`random`] | [`Key`] and what is drawn from it |
//! | [`distributions`] | families, and what is made of them |
//! | [`constraints`], [`bijectors`] | the sets in which parameters and draws lie; ways into them |
//! | [`generative`](mod@generative) | models as programs with named random choices |
//! | [`optimize`] | minimisation |
//! | [`odes`] | ordinary differential equations |
//! | [`diagnostics`] | whether draws can be trusted, and which model predicts better |
//! | [`pipeline`] | whole runs: chains on all cores, and what they give |
//! | [`device`] | where programs run |
//! | [`debug`] | looking into programs: graphs, stages, profiles, the origin of a NaN |
//! | `plot` | figures, with the feature `plot` |
//! | [`graph`] | for authors of operations, rewrites and backends: graphs and their parts |
//!
//! Everything but [`graph`], the machinery of [`tree`] and the samplers of [`random`] beyond those
//! of uniform and normal numbers is also at the root: `probpipe::grad`.

#![forbid(unsafe_code)]

pub mod bijectors;
pub mod constraints;
pub mod device;
pub mod diagnostics;
pub mod distributions;
pub mod generative;
pub mod inference;
pub mod odes;
pub mod optimize;
pub mod pipeline;
pub mod random;
pub mod record;

#[cfg(feature = "plot")]
#[doc(inline)]
pub use probpipe_plot as plot;

/// The array, its types, and functions that join, choose, sort and count. Most operations are
/// methods of [`Array`].
pub mod arrays {
    // The one value that users hold, and its types.
    #[doc(inline)]
    pub use probpipe_trace::{
        Array, ArrayType, Axes, DType, Element, Error, ErrorKind, IntoShape, Loc, Result, Rounding,
        Scalar, Shape, Subnormals, broadcast_shapes, default_float, promote_literal, promote_types,
        rounding, subnormals, with_default_float, with_rounding, with_subnormals,
    };
    // What methods of arrays take and give.
    #[doc(inline)]
    pub use probpipe_trace::{
        AtPlaces, CumulativeOp, Extents, Index, IntoAxes, IntoExtents, IntoIndices, Keep,
        OutOfRange, OverAxes, PadMode, QuantileMethod, ScatterOp, WindowAxes,
    };
    // Joining and choosing.
    #[doc(inline)]
    pub use probpipe_trace::{
        column_stack, concat, dstack, hstack, select, select_n, stack, vstack, where_,
    };
    // Order, counts, segments, tables.
    #[doc(inline)]
    pub use probpipe_trace::{
        bincount, digitize, histogram, histogram_bins, interp, searchsorted, segment_max,
        segment_min, segment_prod, segment_sum, sort_key_val, sort_together,
    };
}

/// Making arrays.
pub mod creation {
    #[doc(inline)]
    pub use probpipe_trace::{
        arange, arange_step, array, block_diag, eye, eye_of, eye_offset, full, full_like, full_of,
        full_typed, geomspace, iota, linspace, linspace_of, linspace_open, logspace, meshgrid,
        ones, ones_like, ones_of, toeplitz, tri, tril_indices, tril_indices_offset, triu_indices,
        triu_indices_offset, vander, zeros, zeros_like, zeros_of,
    };
}

/// Products and factors of matrices. More are methods of [`Array`]: `matmul`, `cholesky`, `qr`,
/// `eigh`, `svd`, `solve`.
pub mod linalg {
    #[doc(inline)]
    pub use probpipe_trace::{
        DotAxes, LeastSquares, LuFactors, MatrixNorm, Triangular, convolve, einsum, multi_dot,
        polyval,
    };
}

/// Special functions of several arguments. Those of one are methods of [`Array`]: `lgamma`, `erf`,
/// `digamma`.
pub mod special {
    #[doc(inline)]
    pub use probpipe_trace::{
        beta, beta_density, betainc, betaincinv, betaln, digamma_difference, gamma_density,
        gammainc, gammaincc, gammainccinv, gammaincinv, log_binomial, owens_t, polygamma,
        random_gamma_grad, rising_factorial, zeta,
    };
}

/// Loops and branches that are part of a program, with closures that may capture; functions of the
/// host that a program calls.
pub mod control {
    #[doc(inline)]
    pub use probpipe_trace::{
        Branches, ScanOptions, associative_scan, cond, fori_loop, fori_loop_dynamic, map,
        pure_callback, pure_callback_vectorized, scan, scan_n, scan_reverse, switch, while_loop,
    };
}

/// Trees of arrays: what every transformed function takes and gives. Derive
/// [`Tree`](trait@crate::tree::Tree) for your structs and enums; the rest is for those who write it
/// by hand.
pub mod tree {
    #[doc(inline)]
    pub use probpipe_trace::Tree;
    #[doc(inline)]
    pub use probpipe_trace::tree::{
        Flatten, IntoTree, Nest, Rebuild, Structure, Token, nest_by_path,
    };
    #[doc(inline)]
    pub use probpipe_trace::{Flat, on_flat, tree_map, tree_map3};
}

/// Functions of functions: derivatives, batching, compilation, and rules of your own.
pub mod transforms {
    #[doc(inline)]
    pub use crate::device::{jit, jit_on};
    #[doc(inline)]
    pub use probpipe_transforms::{
        BatchAxes, Compiled, checkpoint, custom_derivatives, custom_jvp, custom_linear_solve,
        custom_root, custom_vjp, grad, grad_aux, grad_wrt, hessian, hvp, jacfwd, jacrev, jvp,
        jvp_aux, linear_transpose, linearize, stop_gradient, value_and_grad, value_and_grad_aux,
        value_and_grad_wrt, vjp, vjp_aux, vmap, vmap_axes,
    };
}

/// Looking into programs. An array prints itself from compiled code with `Array::inspect`.
pub mod debug {
    #[doc(inline)]
    pub use crate::device::{profile, stages_of};
    #[doc(inline)]
    pub use probpipe_trace::{Placement, Profile, Region, RegionKind};
    #[doc(inline)]
    pub use probpipe_transforms::{check_nan, compile, graph_of, recompiles};
}

/// For authors of operations, rewrites and backends: graphs and their operations, how to record
/// them, values and their memory, and what a backend is. Programs that use operations do not need
/// it.
pub mod graph {
    // The graph, its text, its invariants, the meaning of every operation.
    #[doc(inline)]
    pub use probpipe_trace::{
        BinaryOp, Callback, CompareOp, CumulativeOp, Custom, CustomRule, DotAxes, HostFn, Lane,
        LinalgOp, Op, ReduceOp, Scan, ScatterOp, Sparse, SpecialOp, Switch, UnaryOp, Vectors,
        While,
    };
    #[doc(inline)]
    pub use probpipe_trace::{
        Eqn, Graph, GraphBuilder, VarId, Verified, VerifyError, eval, op, parse, verify,
    };
    // Recording.
    #[doc(inline)]
    pub use probpipe_trace::{
        Outputs, Traced, bind, bind1, here, inline, is_tracing, trace, trace_with, with_location,
        without_location,
    };
    #[doc(inline)]
    pub use probpipe_transforms::{raw_graph_of, recompute, rewrite};
    // Who computes outside of traces.
    #[doc(inline)]
    pub use probpipe_trace::{compute_large_on, with_interpreted};
    // Values and where they lie; what runs a graph.
    #[doc(inline)]
    pub use probpipe_trace::{
        Backend, Caps, DeviceBuffer, Executable, Given, HostBuffer, Interpreter, LaneForm,
        ShapeDisplay, Storage, Value, Values, other_axes, row_major_strides, zero_value,
    };
}

// All of it by its plain name.
pub use arrays::*;
pub use bijectors::{Bijector, biject_to};
pub use constraints::Constraint;
pub use control::*;
pub use creation::*;
pub use debug::*;
pub use device::{Device, release_memory, with_device};
pub use distributions::{
    AsymmetricLaplace, AsymmetricLaplaceQuantile, Autoregressive, Bandwidth, Bates, Bernoulli,
    BernoulliLogits, Beta, BetaBinomial, BetaNegativeBinomial, BetaProportion, BetaQuotient,
    Binomial, BinomialLogits, CAR, Categorical, CategoricalLogits, Cauchy, Cdf, Chi, Chi2,
    CirculantNormal, ContinuousBernoulli, Covariance, Dagum, Delta, DeterminantalPointProcess,
    Dirichlet, DirichletMultinomial, DiscreteUniform, Distribution, DoublesidedMaxwell,
    DoublyTruncatedPowerLaw, Empirical, Entropy, Estimate, EulerMaruyama, ExpGamma,
    ExpInverseGamma, ExpRelaxedOneHotCategorical, Expanded, Expectation, Exponential,
    ExponentiallyModifiedGaussian, FilteredStates, FiniteDiscrete, FlatDistribution, FoldedNormal,
    FoldedStudentT, FromDistribution, Gamma, GammaGamma, GammaPoisson, Gate, GaussianCopula,
    GaussianCopulaBeta, GaussianPosterior, GaussianProcess, GaussianRandomWalk, GaussianStateSpace,
    GeneralizedExtremeValue, GeneralizedNormal, GeneralizedPareto, Geometric, GeometricLogits,
    Gompertz, Gumbel, HalfCauchy, HalfNormal, HalfStudentT, HiddenMarkovModel, Horseshoe,
    HostDraws, HostSampler, Hurdle, HurdleGamma, HurdleLogNormal, ImproperUniform, Independent,
    IntervalCensored, InverseGamma, InverseGaussian, InverseWishart, InverseWishartCholesky,
    JohnsonSU, Kde, Kernel, KlDivergence, Kumaraswamy, LKJ, LKJCholesky, LambertWNormal, Laplace,
    LeftCensored, LeftTruncatedGamma, LeftTruncatedNormal, Levy, LinearGaussianSSM, LogLogistic,
    LogNormal, LogProb, LogUniform, Logistic, LogitNormal, LowRankMultivariateNormal,
    LowerTruncatedPowerLaw, Masked, MatrixNormal, MatrixT, Mixture, MixtureSameFamily, Mode,
    MomentMatched, Moments, Moyal, Multinomial, MultinomialLogits, MultivariateNormal,
    MultivariateStudentT, Named, NegativeBinomial, NegativeBinomial2, NegativeBinomialLogits,
    NoncentralChi2, Normal, NormalInverseGaussian, OneHotCategorical, Ordered, OrderedLogistic,
    PERT, Pareto, PlackettLuce, Poisson, PoissonLog, PowerSpherical, ProbitBernoulli, Product,
    ProjectedNormal, Quantile, Quantized, RelaxedBernoulliLogits, RelaxedOneHotCategorical,
    RightCensored, RightTruncatedGamma, RightTruncatedNormal, Sample, Sequential, SigmoidBeta,
    SineBivariateVonMises, SineSkewed, SinhArcsinh, Skellam, SoftLaplace, SphericalUniform,
    StoppingRatioLogistic, StudentT, Support, Transformed, Truncated, TruncatedCauchy,
    TruncatedLaplace, TruncatedLogistic, TruncatedNormal, TruncatedPolyaGamma, TruncatedStudentT,
    TwoPieceNormal, TwoPieceStudentT, TwoSidedTruncatedGamma, Uniform, Unit, VonMises,
    VonMisesFisher, Weibull, Wishart, WishartCholesky, ZeroInflated, ZeroSumNormal, Zipf,
    from_distribution, kl_divergence, kl_monte_carlo, match_moments, product,
};
pub use generative::{
    Alternatives, ChoiceMap, Choices, GenerativeFunction, Selection, Trace, Update, addresses,
    generative,
};
pub use linalg::*;
pub use random::{
    Key, RandomLayout, normal, normal_of, symmetric_uniform_of, uniform, uniform_of, uniform_range,
};
pub use record::{Part, Record, RecordBatch, Unravel, full_factorial, ravel};
pub use special::*;
pub use transforms::*;
pub use tree::{Nest, Tree, tree_map, tree_map3};

/// What most programs use.
pub mod prelude {
    pub use crate::arrays::{
        Array, DType, Error, Keep, Result, concat, select, stack, where_, with_default_float,
    };
    pub use crate::control::{
        ScanOptions, associative_scan, cond, fori_loop, fori_loop_dynamic, map, scan, scan_n,
        scan_reverse, switch, while_loop,
    };
    pub use crate::creation::{
        arange, array, eye, full, linspace, ones, ones_like, zeros, zeros_like,
    };
    pub use crate::debug::{check_nan, graph_of, profile, recompiles};
    pub use crate::device::{Device, with_device};
    pub use crate::distributions::{
        Bernoulli, Cdf, Covariance, Distribution, Entropy, Expectation, Exponential, Laplace,
        LogProb, Mode, Moments, MultivariateNormal, Normal, Quantile, Sample, Support, Uniform,
        product,
    };
    pub use crate::generative::{
        Alternatives, ChoiceMap, Choices, GenerativeFunction, Selection, Trace, addresses,
        generative,
    };
    pub use crate::linalg::einsum;
    pub use crate::pipeline::{Chains, Draws};
    #[cfg(feature = "plot")]
    pub use crate::plot::{Figure, Plot};
    pub use crate::random::{Key, RandomLayout, normal, uniform, uniform_range};
    pub use crate::record::{Record, ravel};
    pub use crate::transforms::{
        checkpoint, custom_jvp, custom_vjp, grad, grad_aux, grad_wrt, hessian, hvp, jacfwd, jacrev,
        jit, jit_on, jvp, value_and_grad, value_and_grad_wrt, vjp, vmap, vmap_axes,
    };
    pub use crate::tree::{Tree, tree_map, tree_map3};
}
