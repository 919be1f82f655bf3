//! The declaration of a family: from the names of its parameters and their constraints come the
//! type, its constructor, its checks, its shapes, its tree and its row in the table of families.
//! A family's file holds that declaration and its formulas.

/// Declares a family: its name, its constructor, and its parameters with their constraints; then
/// the support, whose bounds may be parameters, an order of two of them, and the formulas of a
/// family of numbers by capability, in which parameters go by their names:
///
/// ```text
/// family! {
///     /// What it is.
///     Uniform::new {
///         /// The lower end.
///         low: Real,
///         /// The upper end.
///         high: Real,
///     }
///     on Interval(low, high) where low < high {
///         LogProb { log_prob(x) => -(high - low).log() }
///         Sample { uniform(u) => u * (high - low) + low }
///     }
/// }
/// ```
///
/// It gives the type with private fields, the constructor, a getter for each parameter,
/// `Distribution`, `Support`, `Parametric`, `Tree`, `Nest`, `Debug` and `Display`, and the traits
/// of the capabilities. Formulas get parameters that are checked; densities are `-inf` outside the
/// support, quantiles NaN outside [0, 1], statistics spread over the batch shape without their
/// saying so. Where the shape of an event does not follow from the parameters it is said after the
/// support: `on Circular of [2]`. Families of vectors implement the traits themselves, on
/// `checked()`, the parameters as an array to be taken apart, `dtype()` and `shaped()`.
macro_rules! family {
    (
        $(#[$about:meta])*
        $name:ident :: $new:ident {
            $($(#[$what:meta])* $parameter:ident: $constraint:ident $(($limit:literal))?,)*
        }
        on $support:ident $(($($bound:tt),+))? $(of [$($extent:literal),+])?
        $(where $low:ident $order:tt $high:ident)?
        $({ $($formulas:tt)* })?
    ) => {
        $(#[$about])*
        #[derive(Clone)]
        pub struct $name {
            parameters: $crate::distributions::parameters::Parameters<
                { <[&str]>::len(&[$(stringify!($parameter)),*]) },
            >,
        }

        impl $name {
            /// The distribution with these parameters, which broadcast; literals take the type of
            /// what they meet. Shapes or types that do not fit, and known values that break their
            /// constraint, make all of it invalid:
            #[doc = concat!($(
                "[`", stringify!($parameter), "`](", stringify!($name), "::",
                stringify!($parameter), ") [`", stringify!($constraint),
                "`](crate::constraints::Constraint::", stringify!($constraint), ") " $(
                    , "`", stringify!($limit), "` "
                )?
            ),*)]
            #[track_caller]
            #[allow(clippy::new_without_default)] // one family has no parameters
            pub fn $new($($parameter: impl Into<probpipe_trace::Array>),*) -> $name {
                let parameters = [$($parameter.into()),*];
                $name {
                    parameters: $crate::distributions::parameters::Parameters::new(
                        <$name as $crate::distributions::Parametric>::FAMILY,
                        parameters,
                    ),
                }
            }

            $(
                $(#[$what])*
                pub fn $parameter(&self) -> &probpipe_trace::Array {
                    let family = <$name as $crate::distributions::Parametric>::FAMILY;
                    self.parameters.leaf(family, stringify!($parameter))
                }
            )*

            #[track_caller]
            fn checked(
                &self,
            ) -> [probpipe_trace::Array; { <[&str]>::len(&[$(stringify!($parameter)),*]) }] {
                self.parameters.checked(<$name as $crate::distributions::Parametric>::FAMILY)
            }

            /// The float type that the parameters decide.
            #[allow(dead_code)]
            fn dtype(&self) -> probpipe_trace::DType {
                self.parameters.dtype()
            }

            /// A statistic of this distribution, spread over the batch shape and `event`.
            #[allow(dead_code)]
            #[track_caller]
            fn shaped(
                &self,
                statistic: probpipe_trace::Array,
                event: &[usize],
            ) -> probpipe_trace::Array {
                let batch = $crate::distributions::Distribution::batch_shape(self);
                let shape = $crate::distributions::shapes::join(&batch, event);
                let decided = self.parameters.decided();
                $crate::distributions::shapes::spread(statistic, &shape, decided)
            }
        }

        impl $crate::distributions::Parametric for $name {
            const FAMILY: &'static $crate::distributions::Family =
                &$crate::distributions::Family {
                    name: stringify!($name),
                    parameters: &[$($crate::distributions::Parameter {
                        name: stringify!($parameter),
                        constraint: $crate::constraints::Constraint::$constraint $(($limit))?,
                    }),*],
                    ordered: $crate::distributions::declaration::ordered!($($low $order $high)?),
                    support: $crate::distributions::declaration::support_text!(
                        $support $($($bound)+)?
                    ),
                    abilities: $crate::distributions::abilities::abilities!($name),
                };

            fn parameters(&self) -> &[probpipe_trace::Array] {
                self.parameters.leaves()
            }
        }

        impl $crate::distributions::Distribution for $name {
            type Value = probpipe_trace::Array;

            fn batch_shape(&self) -> probpipe_trace::Shape {
                self.parameters.batch_shape(<$name as $crate::distributions::Parametric>::FAMILY)
            }

            fn event_shape(&self) -> probpipe_trace::Shape {
                $crate::distributions::declaration::event!(self, $name $($(, $extent)+)?)
            }
        }

        impl $crate::distributions::Support for $name {
            fn support(&self) -> $crate::constraints::Constraint {
                #[allow(unused_variables)]
                let [$($parameter),*] = self.parameters.leaves();
                $crate::constraints::Constraint::$support $((
                    $($crate::distributions::declaration::bound!($bound)),+
                ))?
            }
        }

        impl probpipe_trace::Tree for $name {
            fn flatten<'tree>(&'tree self, into: &mut probpipe_trace::Flatten<'tree>) {
                into.token(probpipe_trace::Token::Open(stringify!($name)));
                let [$($parameter),*] = self.parameters.leaves();
                $(into.field(stringify!($parameter), $parameter);)*
                into.token(probpipe_trace::Token::Close);
            }

            fn rebuild(
                from: &mut probpipe_trace::Rebuild<'_>,
            ) -> probpipe_trace::Result<Self> {
                from.expect(probpipe_trace::Token::Open(stringify!($name)))?;
                let leaves = [$(from.field(stringify!($parameter))?),*];
                from.expect(probpipe_trace::Token::Close)?;
                Ok($name {
                    parameters: $crate::distributions::parameters::Parameters::of_leaves(leaves),
                })
            }

            fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut probpipe_trace::Array)) {
                self.parameters.leaves_mut().iter_mut().for_each(visit);
            }
        }

        impl probpipe_trace::Nest for $name {
            type Of<Leaf: probpipe_trace::Tree> = std::collections::BTreeMap<String, Leaf>;

            fn nest<Leaf: probpipe_trace::Tree>(
                &self,
                leaf: &mut dyn FnMut() -> Leaf,
            ) -> Self::Of<Leaf> {
                probpipe_trace::nest_by_path(self, leaf)
            }
        }

        impl probpipe_trace::IntoTree<$name> for $name {
            fn into_tree(self) -> $name {
                self
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let family = <$name as $crate::distributions::Parametric>::FAMILY;
                $crate::distributions::family::show(f, family, self.parameters.leaves())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let [$($parameter),*] = self.parameters.leaves();
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($parameter), $parameter))*
                    .finish()
            }
        }

        $crate::distributions::formulas::formulas! {
            $name [$($parameter),*] $($($formulas)*)?
        }
    };
}
pub(crate) use family;

/// The shape of an event: the one declared, else as many axes as the support has, of the extent of
/// the parameters.
macro_rules! event {
    ($self:ident, $name:ident) => {{
        let rank = $crate::distributions::Support::support($self).event_rank();
        let family = <$name as $crate::distributions::Parametric>::FAMILY;
        std::iter::repeat_n($self.parameters.extent(family), rank).collect()
    }};
    ($self:ident, $name:ident $(, $extent:literal)+) => {
        probpipe_trace::Shape::from_slice(&[$($extent),+])
    };
}
pub(crate) use event;

/// The order of a declaration.
macro_rules! ordered {
    () => {
        None
    };
    ($low:ident $order:tt $high:ident) => {
        Some((stringify!($low), stringify!($order), stringify!($high)))
    };
}
pub(crate) use ordered;

/// The support of a declaration in words.
macro_rules! support_text {
    (AtLeast $low:tt) => {
        concat!("at least ", $crate::distributions::declaration::bound_text!($low))
    };
    (GreaterThan $low:tt) => {
        concat!("above ", $crate::distributions::declaration::bound_text!($low))
    };
    (AtMost $high:tt) => {
        concat!("at most ", $crate::distributions::declaration::bound_text!($high))
    };
    (Interval $low:tt $high:tt) => {
        concat!(
            "from ",
            $crate::distributions::declaration::bound_text!($low),
            " to ",
            $crate::distributions::declaration::bound_text!($high)
        )
    };
    (IntegerInterval $low:tt $high:tt) => {
        concat!(
            "integers from ",
            $crate::distributions::declaration::bound_text!($low),
            " to ",
            $crate::distributions::declaration::bound_text!($high)
        )
    };
    (Multinomial $total:tt) => {
        concat!(
            "vectors of counts whose sum is ",
            $crate::distributions::declaration::bound_text!($total)
        )
    };
    ($name:ident) => {
        $crate::constraints::Constraint::$name.name()
    };
}
pub(crate) use support_text;

/// An end of a support: a number, a parameter, or in parentheses an expression.
macro_rules! bound {
    ($number:literal) => {
        probpipe_trace::Array::from($number)
    };
    ($parameter:ident) => {
        $parameter.clone()
    };
    (($constant:expr)) => {
        probpipe_trace::Array::from($constant)
    };
}
pub(crate) use bound;

/// An end of a support in words: as it is written.
macro_rules! bound_text {
    ($number:literal) => {
        stringify!($number)
    };
    ($parameter:ident) => {
        concat!("`", stringify!($parameter), "`")
    };
    ((last_category($($of:tt)*))) => {
        "the last category"
    };
    (($constant:expr)) => {
        stringify!($constant)
    };
}
pub(crate) use bound_text;
