# Homebrew on Linux. `url` is filled in by who publishes a release: its archive, and that one's sum.
class Wafers < Formula
  desc "Cheap writable views of one Git checkout for many coding agents"
  homepage "https://example.org/wafers"
  url "https://example.org/wafers/wafers-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "nlohmann-json" => :build
  depends_on "pkgconf" => :build
  depends_on "libcap-ng"
  depends_on "libdeflate"
  depends_on "libgit2"
  depends_on :linux
  depends_on "openssl@3"
  depends_on "util-linux" # libmount
  depends_on "zlib"

  def install
    # libmount is linked, since it is where dlopen(3) doesn't look.
    system "cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_UNITY_BUILD=ON",
           "-DWAFERS_TESTS=OFF", "-DWAFERS_WERROR=OFF", "-DWAFERS_STATIC_HOLDER=OFF",
           "-DWAFERS_LINK_LIBMOUNT=ON", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/wafers --version")
    system "git", "init", "-q"
    system "git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "base"
    assert_equal "", shell_output("#{bin}/wafers ls -q")
  end
end
