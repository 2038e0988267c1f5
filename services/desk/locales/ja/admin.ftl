# 管理センター。
admin-nav = 管理センター
admin-part-desk = デスク
admin-part-safety = セキュリティ
admin-overview = 概要
admin-people = ユーザー
admin-groups = グループ
admin-residency = データの所在

admin-done-made = 作成しました。
admin-done-saved = 保存しました。
admin-done-deleted = 削除しました。
admin-yes = はい
admin-no = いいえ
admin-save = 保存
admin-save-anyway = 新しい状態に上書きして保存
admin-delete = 削除
admin-overtaken = ほかの人が先に変更したため、保存されませんでした
admin-overtaken-kept = 入力した内容は残っています。現在の値が異なる項目には、その値を表示しています。
admin-overtaken-now = 現在の値：

admin-name = 名前
admin-email = メールアドレス
admin-description = 説明
admin-active = 有効

admin-people-team = チーム
admin-people-end-users = エンドユーザー
admin-people-all = 全員
admin-people-sought = 名前またはアドレス
admin-people-count = { $n ->
   *[other] { $number } 人
}
admin-role-hint = エージェントはチケットを処理します。管理者はデスクの設定も変更できます。
admin-suspended = 停止中
admin-suspended-hint = 停止されたユーザーは、どの方法でも利用できません。
admin-person-new = ユーザーを追加
admin-person-new-lead = 同僚、または問い合わせをする方を追加します。
admin-person-add = 追加
admin-person-tickets = プロフィールとチケット
admin-person-no-groups = まだどのグループにも属していません。
admin-person-delete = このユーザーを削除
admin-person-delete-means = 以後この方は何もできなくなり、アドレスはほかの人が使えるようになります。チケットは残ります。未解決のチケットがある方は削除できません。

admin-group-new = グループを追加
admin-group-new-lead = チケットはグループに割り当てられ、ビューをグループ専用にすることもできます。
admin-group-add = 追加
admin-group-private = 非公開
admin-group-private-hint = 非公開にしたグループを公開に戻すことはできません。
admin-group-public = 公開
admin-group-default = 先頭に置く
admin-group-default-hint = デスクの既定のグループになります。
admin-group-first = 先頭
admin-group-make-first = 先頭にする
admin-group-leave = 外す
admin-group-another = 別のグループ
admin-group-join = 追加
admin-group-members = メンバー
admin-group-members-hint = グループへの追加や除外は、ユーザーのページで行います。
admin-group-delete = このグループを削除
admin-group-delete-means = 所属する人はいなくなり、チケットを割り当てることもできなくなります。すでにこのグループを示すチケットの表示は変わりません。

admin-done-issued = このトークンはすでに発行され、そのときに表示されました。控えがない場合は無効にして、新しく発行してください。
admin-done-ended = トークンを無効にしました。
admin-tokens = APIトークン
admin-token-new = APIトークンを発行
admin-token-new-lead = プログラムが利用するためのものです。対象のユーザーができることは、すべてできます。
admin-token-for = 用途
admin-token-person = 対象のユーザー
admin-token-person-hint = エージェントのトークンでは、エージェントにできることだけができます。
admin-token-since = 発行日時
admin-token-expires = 有効期限
admin-token-expires-hint = 空欄の場合は、無効にするまで使えます。
admin-token-until = 有効期限
admin-token-never = 期限なし
admin-token-issue = 発行
admin-token-issued = トークンを発行しました
admin-token-end = 無効にする
admin-token-over = 無効
admin-token-use = プログラムは次のヘッダーで送ります：
