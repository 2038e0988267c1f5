# サインイン。
signin-title = { $desk } にサインイン
signin-email = メールアドレス
signin-password = パスワード
signin-submit = サインイン
signin-out = サインアウト
signin-wrong = メールアドレスまたはパスワードが正しくありません。
signin-wait = { $minutes ->
   *[other] 試行回数が多すぎます。{ $minutes } 分後にもう一度お試しください。
}
