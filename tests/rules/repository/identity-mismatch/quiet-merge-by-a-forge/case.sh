who alice
trust alice forge
policy 'rules.identity-mismatch.forge-principals = ["forge@example.com"]'
commit one
git push --quiet origin main
git checkout --quiet -b topic
commit two
git checkout --quiet main
commit three
key forge
tick
git merge --quiet --no-ff --message merge topic
judged main
