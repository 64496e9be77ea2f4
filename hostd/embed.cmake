# embed_files(TARGET FUNCTION [PATH FILE]...)
#
# Links files into TARGET: hostd::FUNCTION(), which a header of yours declares, gives each of them under
# its PATH (hostd/embedded_file.h). They are read when TARGET is built, and again when they have changed.
function(embed_files target function)
  set(rest ${ARGN})
  set(files)
  set(blocks)
  set(rows)
  set(count 0)
  while(rest)
    list(POP_FRONT rest path file)
    get_filename_component(file ${file} ABSOLUTE)
    set(symbol ${function}_${count})
    list(APPEND files ${file})
    # Symbols that are not local are found also where the linker optimises the whole program.
    string(APPEND blocks
      "asm(\".section .rodata\\n\"\n"
      "    \".globl ${symbol}, ${symbol}_end\\n\"\n"
      "    \".hidden ${symbol}, ${symbol}_end\\n\"\n"
      "    \"${symbol}: .incbin \\\"${file}\\\"\\n\"\n"
      "    \"${symbol}_end: .byte 0\\n\"\n"
      "    \".previous\");\n"
      "extern \"C\" const char ${symbol}[];\n"
      "extern \"C\" const char ${symbol}_end[];\n")
    string(APPEND rows "    {\"${path}\", {${symbol}, ${symbol}_end}},\n")
    math(EXPR count "${count} + 1")
  endwhile()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"// Made by hostd/embed.cmake.
#include <array>
#include <span>

#include \"hostd/embedded_file.h\"

@blocks@
namespace hostd {
std::span<const EmbeddedFile> @function@();

std::span<const EmbeddedFile> @function@() {
  static const std::array<EmbeddedFile, @count@> kFiles = {{
@rows@  }};
  return kFiles;
}
}  // namespace hostd
")
  set_source_files_properties(${source} TARGET_DIRECTORY ${target}
    PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE ${source})
endfunction()
