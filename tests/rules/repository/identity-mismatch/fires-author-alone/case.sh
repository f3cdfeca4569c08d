who alice
trust alice bob
commit one
git push --quiet origin main
who bob
tick
git commit --quiet --allow-empty --author 'carol <carol@example.com>' --message two
judged main
