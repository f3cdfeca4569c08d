who alice
trust alice
commit one
git push --quiet origin main
commit two
git cat-file commit HEAD | sed 's/^two$/three/' > "$FOLDER/commit"
git reset --quiet --hard "$(git hash-object -t commit -w "$FOLDER/commit")"
judged main
