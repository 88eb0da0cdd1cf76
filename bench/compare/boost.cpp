// Boost.Context's jump_fcontext, the switch of many C++ libraries, measured as
// BenchmarkSwitch measures ours: to and fro between two contexts, each with its
// own call site or both with the same, one pointer going with every switch.
//
//   g++ -O2 boost.cpp -o boost -lboost_context && ./boost
//
// The argument is the number of milliseconds for each line. The output has the
// format of Go benchmarks.

#include <boost/context/detail/fcontext.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

namespace {

// A side goes to and fro n times, from a call site of its own. The number makes
// copies: how well the processor predicts a jump depends on where the compiler
// has put the two sides, so several pairs are measured.
template <int number>
__attribute__((noipa)) transfer_t side(transfer_t t, long n) {
  for (; n > 0; n--) t = jump_fcontext(t.fctx, t.data);
  return t;
}

constexpr long forever = 1L << 62;

template <int number> void other(transfer_t t) {
  side<number>(t, forever);
  std::abort();
}

template <int here, int there> void measure(double milliseconds) {
  alignas(64) static char stack[1 << 16];
  static int box;
  transfer_t t{make_fcontext(stack + sizeof stack, sizeof stack, other<there>), &box};
  t = side<here>(t, 1000);
  for (long n = 1000;; n *= 2) {
    const auto begin = std::chrono::steady_clock::now();
    t = side<here>(t, n);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    if (t.data != &box) {
      std::fprintf(stderr, "boost: what came back is not what was sent\n");
      std::exit(1);
    }
    if (spent.count() >= milliseconds * 1e6 / 2) {
      std::printf("BenchmarkSwitch/sites=%s/by=boost \t%ld\t%.3f ns/switch\n",
                  here == there ? "same" : "different", 2 * n, spent.count() / (2.0 * n));
      return;
    }
  }
}

} // namespace

int main(int argc, char **argv) {
  const double milliseconds = argc > 1 ? std::atof(argv[1]) : 1000;
  measure<0, 1>(milliseconds);
  measure<2, 3>(milliseconds);
  measure<4, 5>(milliseconds);
  measure<6, 7>(milliseconds);
  measure<8, 9>(milliseconds);
  measure<10, 10>(milliseconds);
}
