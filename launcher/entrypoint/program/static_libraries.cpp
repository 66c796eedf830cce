// What a program without shared libraries needs beside the static ones that Debian has.
#include <dlfcn.h>
#include <fmt/format-inl.h>

// fmt comes as a shared library only: the parts of its format.cc that we use.
FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API auto dragonbox::to_decimal(float x) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double x) noexcept -> dragonbox::decimal_fp<double>;
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);
}  // namespace detail
FMT_END_NAMESPACE

// glibc's own, when linked statically, loads libraries of the very same glibc only, and crashes with others. Whoever
// would load one (libcurl, NVML) is told that there is none.
extern "C" {
void* dlopen(const char*, int) noexcept { return nullptr; }
void* dlsym(void*, const char*) noexcept { return nullptr; }
int dlclose(void*) noexcept { return 0; }
char* dlerror() noexcept {
  static char message[] = "lockstep-entrypoint is linked statically and loads no libraries; `lockstep entrypoint` does";
  return message;
}
}
