# nix run 'git+file:///path/to/wafers?dir=docs/packaging/nix' -- doctor
{
  description = "Cheap writable views of one Git checkout for many coding agents";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = forEach (pkgs: {
        default = pkgs.stdenv.mkDerivation {
          pname = "wafers";
          version = "0.1.0";
          src = ../../..;
          nativeBuildInputs = with pkgs; [ cmake ninja pkg-config ];
          buildInputs = with pkgs; [
            cli11
            libcap_ng
            libdeflate
            libgit2
            nlohmann_json
            openssl
            util-linux
            zlib
          ];
          # libmount is linked, since it is where dlopen(3) doesn't look; and there are no static
          # libraries, which the small holder is linked with.
          cmakeFlags = [
            "-DCMAKE_UNITY_BUILD=ON"
            "-DWAFERS_LINK_LIBMOUNT=ON"
            "-DWAFERS_STATIC_HOLDER=OFF"
            "-DWAFERS_TESTS=OFF"
            "-DWAFERS_WERROR=OFF"
          ];
          meta = {
            license = pkgs.lib.licenses.mit;
            mainProgram = "wafers";
            platforms = systems;
          };
        };
      });

      checks = forEach (pkgs: { build = self.packages.${pkgs.system}.default; });
    };
}
